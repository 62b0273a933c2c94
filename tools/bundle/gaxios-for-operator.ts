/** What @dot-i/k8s-operator sends status and finalizers with. Ours go through src/runtime/kube/http-kube-client.ts. */
export const instance = {
  request(): never {
    throw new Error(
      'The operator sends nothing of its own: see src/runtime/kube/http-kube-client.ts',
    );
  },
};
