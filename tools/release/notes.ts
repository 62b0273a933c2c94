/**
 * The section of a changelog for a version, without its heading.
 * @throws Error where there is none, or it is empty
 */
export function releaseNotes(changelog: string, version: string): string {
  const sections = changelog.split(/^## /m).slice(1);
  const section = sections.find((each) => /^\[?([^\s\]]+)/.exec(each)?.[1] === version);
  if (version === '' || section === undefined) {
    throw new Error(
      `CHANGELOG.md has no section "## ${version}": move the entries below Unreleased into one.`,
    );
  }
  const notes = section.slice(section.indexOf('\n') + 1).trim();
  if (notes === '') throw new Error(`CHANGELOG.md has nothing below "## ${version}".`);
  return notes;
}
