/** For tests that mostly wait for programs: two at a time, one for each core of the smallest machine that runs them. */
export const atOnce = { concurrency: 2 } as const;
