/** What is measured, and how Node runs it. */
export interface MeasuredProgram {
  /** Default: the shipped bundle. */
  program?: string | undefined;
  /** Options for Node beside those that the shipped program has. */
  nodeFlags?: readonly string[] | undefined;
}
