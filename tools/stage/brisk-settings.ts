/** Controller settings under which tests wait for little: short polls, short waits before a retry. */
export const BRISK_SETTINGS = {
  OBSERVE_INTERVAL: '50ms',
  LOOKUP_TTL: '0s',
  EC2_CONSISTENCY_WINDOW: '1s',
  BLOCKED_RETRY_MIN: '100ms',
  BLOCKED_RETRY_MAX: '500ms',
};
