import { z } from 'zod';

/** Schema of a time span in whole milliseconds, with its default; one millisecond to an hour unless said otherwise. */
export const milliseconds = (what: string, fallback: number, min = 1, max = 3_600_000) =>
  z.int().min(min).max(max).default(fallback).meta({ description: what });
