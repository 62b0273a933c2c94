/** Input from outside (a file, the control endpoint) that the simulator does not accept. */
export class InvalidInputError extends Error {
  override readonly name = 'InvalidInputError';
}
