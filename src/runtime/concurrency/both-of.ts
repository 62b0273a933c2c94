/** Waits for both; throws the error of `first`, or else that of `second`. */
export async function bothOf<T>(
  first: Promise<T>,
  second: Promise<unknown> | undefined,
): Promise<T> {
  await Promise.allSettled([first, second]);
  const result = await first;
  await second;
  return result;
}
