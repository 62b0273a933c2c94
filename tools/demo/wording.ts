import { bold, dim, good } from './style.js';

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

export function done(text: string): string {
  return `${good('✓')} ${text}`;
}

export function typed(command: string): string {
  return `${dim('$')} ${bold(command)}`;
}
