/** What it is. */
export const canary = 1;
