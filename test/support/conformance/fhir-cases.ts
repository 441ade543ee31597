/** Cases of the FHIR endpoints and of bulk export. */
import type { CaseTable } from './cases.ts';

/** By number of the transcript. */
export const FHIR_CASES: CaseTable = {};
