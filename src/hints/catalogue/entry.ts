/** Shape of a catalogue entry: one way to fail, how it is recognised, what it means, how to mend it. */
import type { Certainty } from '../../base/contracts.ts';
import type { Answer, AnswerSign } from '../answer.ts';
import type { Evidence, Stage } from '../evidence.ts';

/** Groups of the catalogue; each is a chapter of docs/hints.md. */
export type Family =
  | 'network'
  | 'web-server'
  | 'client'
  | 'jwks'
  | 'assertion'
  | 'token-request'
  | 'scope'
  | 'registration'
  | 'setup'
  | 'bulk'
  | 'access-token'
  | 'permission'
  | 'route'
  | 'search';

/** What was found when an entry's text is made specific. */
export interface Found {
  evidence: Evidence;
  answer: Answer;
  /** Match of the log or answer pattern that decided, if one did; has the pattern's named groups. */
  match?: RegExpExecArray;
}

/** What circumstances say: the sentence for the hint's evidence, or with how sure it makes the hint. */
export type Circumstance = string | { certainty: Certainty; says: string };

/** Text of a hint. */
export interface HintText {
  title: string;
  cause: string;
  fix: string;
}

/** A page that tells more. */
export interface Link {
  label: string;
  url: string;
}

/** One way to fail. */
export interface CatalogueEntry {
  /** Stable id: lower-case words with hyphens. */
  readonly id: string;
  /** A few words, no full stop. */
  readonly title: string;
  /** What it means, for a developer who does not know OpenEMR; whole sentences. */
  readonly cause: string;
  /** What to do: an imperative naming the exact screen, field or command. */
  readonly fix: string;
  /** OpenEMR versions in which it is seen, as people write them: `all`, `7.0.3 and older`. */
  readonly versions: string;
  /** Stages at which it can happen. */
  readonly stages: readonly Stage[];
  /** Tried on the text of each log entry; one that matches makes the hint certain. */
  readonly log?: readonly RegExp[];
  /** Answers that go with it. A log match is doubted when an answer is known and none of these fits. */
  readonly answers?: readonly AnswerSign[];
  /** Error codes of Node and undici that make it certain; `HPE_*` stands for every code that begins so and that no other entry names. */
  readonly nodeCodes?: readonly string[];
  /** Codes of the proxy's own errors that make it certain. */
  readonly proxyCodes?: readonly string[];
  /** What must hold for the entry to be thought of at all. */
  readonly applies?: (evidence: Evidence, answer: Answer) => boolean;
  /** Says why the circumstances make it likely (a fact that leaves no doubt: certain), or undefined when they do not. */
  readonly circumstances?: (evidence: Evidence, answer: Answer) => Circumstance | undefined;
  /** Makes the text specific: names the scope, the expected audience. Must hold no secret and no id of a record. */
  readonly specify?: (found: Found) => Partial<HintText>;
  /** Whether it is only worth saying when nothing more specific fits. */
  readonly lastResort?: boolean;
  /** Whether it is worth saying beside a certain hint, though only likely. */
  readonly companion?: boolean;
  readonly links?: readonly Link[];
}
