import { isMap, isScalar, type Pair, parseDocument, type YAMLMap } from 'yaml';

interface Row {
  name: string;
  description: string;
  value: string;
}

const INTRODUCTION = `# eni-operator

Attaches elastic network interfaces (ENIs) to Kubernetes nodes, selected by labels.

\`\`\`sh
helm install eni-operator oci://REGISTRY/charts/eni-operator --namespace eni-system --create-namespace --set awsRegion=us-west-2
\`\`\`

No version is published before the first release. Until then, build and push the image (\`make docker-build docker-push IMG=…\`), then install from a clone: \`helm install eni-operator charts/eni-operator --namespace eni-system --create-namespace --set image.repository=…\`.

The chart renders the same objects as \`make deploy\`. The agents' pods use the host's network, so the namespace must allow privileged pods: \`kubectl label namespace eni-system pod-security.kubernetes.io/enforce=privileged\` if your cluster enforces another level by default.

A cluster runs one ENI operator, so the names of the objects are fixed. The CRDs are upgraded with the chart, and stay when you uninstall it. If you installed the CRDs in another way, add \`--take-ownership\` to the first installation.

## Test

\`helm test eni-operator --namespace eni-system\` runs a pod that fails unless every controller and every agent answers its readiness probe: \`/readyz\` of the controller fails until EC2 allows it to manage ENIs. Add \`--logs\` to see the counts, and \`kubectl --namespace eni-system describe pods\` shows the responses of the probes.

## Uninstall

\`helm uninstall\` fails while NodeENIs or ENIAttachments exist, because only the controller detaches and deletes their ENIs. Delete the NodeENIs first and wait until they are gone. To keep the ENIs for a later controller, use \`helm uninstall --no-hooks\`.

## Values

| Value | Description | Default |
|---|---|---|
`;

/** The chart's README: the comment above each value describes it. @throws Error for a value without a comment */
export function chartReadme(values: string): string {
  const { contents } = parseDocument(values);
  if (!isMap(contents)) throw new Error('values.yaml is not a map');
  const rows = rowsOf(contents, '', contents.commentBefore ?? '');
  const lines = rows.map(
    ({ name, description, value }) => `| \`${name}\` | ${description} | \`${value}\` |`,
  );
  return `${INTRODUCTION}${lines.join('\n')}\n`;
}

function rowsOf(map: YAMLMap, prefix: string, firstComment: string): Row[] {
  return map.items.flatMap((pair, index) => rowOf(pair, prefix, index === 0 ? firstComment : ''));
}

function rowOf({ key, value }: Pair, prefix: string, inherited: string): Row[] {
  if (!isScalar(key)) return [];
  const name = `${prefix}${key.value}`;
  const description = (key.commentBefore ?? inherited).trim().replaceAll(/\s*\n\s*/g, ' ');
  if (description === '' && isMap(value))
    return rowsOf(value, `${name}.`, value.commentBefore ?? '');
  if (description === '')
    throw new Error(`charts/eni-operator/values.yaml: ${name} has no comment`);
  return [{ name, description, value: JSON.stringify(value) }];
}
