import type { Casualty, Tally } from './campaign.js';
import { describePoint } from './crash-point.js';

/** What a campaign has found, for people. Its last line is the sum. */
export function report({ tried, survived, notMet, casualties }: Tally): string {
  const aside = notMet > 0 ? ` (${notMet} more did not come up in their runs)` : '';
  return [
    ...casualties.map(describeCasualty),
    `${tried} crash points tried, ${survived} survived${aside}`,
  ].join('\n');
}

function describeCasualty({ scenario, point, faults, lastLines }: Casualty): string {
  const where = point ? describePoint(point) : 'without a crash';
  return [
    '',
    `NOT SURVIVED: ${scenario}: ${where}`,
    ...faults.map((fault) => `  ${fault}`),
    '  the last log lines:',
    ...lastLines.map((line) => `    ${line}`),
    '',
  ].join('\n');
}
