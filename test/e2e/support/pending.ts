/**
 * A test of what the operator does not do yet; it runs where `E2E_PENDING` is set.
 * @param because what it does instead
 */
export function pending(title: string, because: string, test: Mocha.AsyncFunc): void {
  const define = process.env.E2E_PENDING ? it : it.skip;
  define(`${title} (not yet: ${because})`, test);
}
