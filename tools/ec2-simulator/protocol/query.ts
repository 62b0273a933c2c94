import { errors } from '../api-error.js';

interface Node {
  value?: string;
  readonly children: Map<string, Node>;
}

/** What says how a request is sent, not what it asks for. */
const ENVELOPE = new Set(['Action', 'Version', 'ClientToken']);

/**
 * The parameters of one request in EC2's query protocol, where a dot steps into a structure or a list:
 * `Filter.1.Value.2`.
 */
export class Query {
  private constructor(private readonly root: Node) {}

  /** @param form an `application/x-www-form-urlencoded` body or query string. */
  static parse(form: string): Query {
    const root: Node = { children: new Map() };
    for (const [name, value] of new URLSearchParams(form)) {
      let node = root;
      for (const step of name.split('.')) {
        let child = node.children.get(step);
        if (!child) {
          child = { children: new Map() };
          node.children.set(step, child);
        }
        node = child;
      }
      node.value = value;
    }
    return new Query(root);
  }

  get action(): string {
    return this.text('Action') ?? '';
  }

  has(name: string): boolean {
    return this.find(name) !== undefined;
  }

  text(name: string): string | undefined {
    return this.find(name)?.value;
  }

  /** @throws ApiError `MissingParameter`. */
  required(name: string): string {
    const value = this.text(name);
    if (value === undefined || value === '') {
      throw errors.missingParameter(lowerFirst(name));
    }
    return value;
  }

  /** @throws ApiError `InvalidParameterValue` where it is not a whole number from 0 up. */
  integer(name: string): number | undefined {
    const value = this.text(name);
    if (value === undefined) {
      return undefined;
    }
    if (!/^\d+$/.test(value)) {
      throw errors.invalidValue(
        `Invalid value '${value}' for ${lowerFirst(name)}. It must be a number`,
      );
    }
    return Number(value);
  }

  /** @throws ApiError `InvalidParameterValue` where it is neither `true` nor `false`. */
  boolean(name: string): boolean | undefined {
    const value = this.text(name)?.toLowerCase();
    if (value === undefined || value === 'true' || value === 'false') {
      return value === undefined ? undefined : value === 'true';
    }
    throw errors.invalidValue(
      `Invalid value '${value}' for ${lowerFirst(name)}. It must be a boolean`,
    );
  }

  /** The values of `name.1`, `name.2`, … in the order of their numbers. */
  list(name: string): string[] {
    return this.items(name).flatMap((item) => item.value ?? []);
  }

  /** The structures at `name.1`, `name.2`, … in the order of their numbers. */
  structures(name: string): Query[] {
    return this.items(name).map((item) => new Query(item));
  }

  /** All that the request asks for, in one text: equal for equal requests. */
  fingerprint(): string {
    const lines: string[] = [];
    const walk = (node: Node, path: string): void => {
      if (node.value !== undefined) {
        lines.push(`${path}=${node.value}`);
      }
      for (const [step, child] of node.children) {
        walk(child, `${path}.${step}`);
      }
    };
    for (const [step, child] of this.root.children) {
      if (!ENVELOPE.has(step)) {
        walk(child, step);
      }
    }
    return lines.sort().join('\n');
  }

  private items(name: string): Node[] {
    const children = this.find(name)?.children ?? new Map<string, Node>();
    return [...children].sort(([a], [b]) => Number(a) - Number(b)).map(([, child]) => child);
  }

  private find(name: string): Node | undefined {
    let node: Node | undefined = this.root;
    for (const step of name.split('.')) {
      node = node?.children.get(step);
    }
    return node;
  }
}

function lowerFirst(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}
