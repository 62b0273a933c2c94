import { expect } from 'chai';
import { releaseNotes } from '../../../tools/release/notes.js';

const CHANGELOG = `# Changelog

## Unreleased

### Added
- Next.

## 1.2.3 - 2026-01-02

### Fixed
- This.

## 1.2.30 - 2026-01-01
`;

describe('the notes of a release', () => {
  it('are the section of its version', () => {
    expect(releaseNotes(CHANGELOG, '1.2.3')).to.equal('### Fixed\n- This.');
  });

  it('are refused where there is no section', () => {
    expect(() => releaseNotes(CHANGELOG, '1.2')).to.throw('no section "## 1.2": move the entries');
  });

  it('are refused where the section is empty', () => {
    expect(() => releaseNotes(CHANGELOG, '1.2.30')).to.throw('nothing below "## 1.2.30"');
  });
});
