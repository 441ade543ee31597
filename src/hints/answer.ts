/** The server's answer as the catalogue looks at it: status, raw text, and the members that name a cause. */
import type { Certainty } from '../base/contracts.ts';
import type { Evidence } from './evidence.ts';
import { withoutValues } from './excerpt.ts';

/** Most characters of a body that patterns are tried on. */
const LONGEST_TEXT_CHARACTERS = 16_384;

/** A judged answer. */
export interface Answer {
  /** Undefined when no answer came. */
  status: number | undefined;
  /** First 16 KiB of the raw body, trimmed. */
  text: string;
  /** Whether a body is known and holds nothing. */
  empty: boolean;
  /** Whether the body is an HTML page or fragment. */
  html: boolean;
  /** The JSON object in the body, also when PHP notices stand before it. */
  json: Readonly<Record<string, unknown>> | undefined;
  /** Member `error`. */
  error: string | undefined;
  /** Member `hint`. */
  hint: string | undefined;
  /** Member `message`, or the text of the first issue of an OperationOutcome. */
  message: string | undefined;
}

/** What an answer of the server looks like; every member given must hold. */
export interface AnswerSign {
  /** Status, or one of several. */
  status: number | readonly number[];
  /** The whole body: nothing, or an HTML page. */
  body?: 'empty' | 'html';
  /** Member `error` of a JSON body. */
  error?: string;
  /** Tried on member `hint` of a JSON body. */
  hint?: RegExp;
  /** Tried on member `message` of a JSON body, or on `issue[0].details.text` of an OperationOutcome. */
  message?: RegExp;
  /** Tried on the raw body. */
  text?: RegExp;
  /**
   * What such an answer proves by itself. Left out when it only agrees with the entry: twenty causes
   * share one `invalid_client` body.
   */
  proves?: Certainty;
}

/** Judges what the server answered; never throws. */
export function processAnswer({ status, body, contentType }: Evidence): Answer {
  const text = (body ?? '').slice(0, LONGEST_TEXT_CHARACTERS).trim();
  const json = body === undefined ? undefined : parseObject(body);
  return {
    status,
    text,
    empty: body !== undefined && text === '',
    html:
      json === undefined &&
      (/^(?:<!doctype html|<html|<head|<script|<br|<h1)/i.test(text) ||
        (text !== '' && /^text\/html/i.test(contentType ?? '') && text.startsWith('<'))),
    json,
    error: stringMember(json, 'error'),
    hint: stringMember(json, 'hint'),
    message: stringMember(json, 'message') ?? issueText(json),
  };
}

/** The match of a sign's pattern, `true` when it fits without a pattern, or undefined when it does not fit. */
export function fitsSign(answer: Answer, sign: AnswerSign): RegExpExecArray | true | undefined {
  const { status } = answer;
  if (status === undefined) return undefined;
  if (typeof sign.status === 'number' ? sign.status !== status : !sign.status.includes(status)) {
    return undefined;
  }
  if (sign.body === 'empty' && !answer.empty) return undefined;
  if (sign.body === 'html' && !answer.html) return undefined;
  if (sign.error !== undefined && sign.error !== answer.error) return undefined;
  let found: RegExpExecArray | true = true;
  for (const [pattern, value] of [
    [sign.hint, answer.hint],
    [sign.message, answer.message],
    [sign.text, answer.text],
  ] as const) {
    if (pattern === undefined) continue;
    const match = value === undefined ? null : pattern.exec(value);
    if (match === null) return undefined;
    found = match;
  }
  return found;
}

/** The answer in a few words, for a hint's evidence: status and the members that name a cause. */
export function describeAnswer(answer: Answer): string {
  const { status, error, hint, message, empty, html, json } = answer;
  if (status === 200 && typeof json?.['scope'] === 'string') {
    return `answer 200: granted scope "${json['scope']}"`;
  }
  const said = [error, hint ?? message].filter((part) => part !== undefined && part !== '');
  if (said.length > 0) return `answer ${status}: ${withoutValues(said.join(', ')).slice(0, 200)}`;
  const what = empty ? 'an empty body' : html ? 'an HTML page' : 'a body that names no cause';
  return `answer ${status} with ${what}`;
}

function parseObject(body: string): Readonly<Record<string, unknown>> | undefined {
  const start = body.indexOf('{');
  if (start === -1 || body.trimStart().startsWith('[')) return undefined;
  try {
    const value: unknown = JSON.parse(body.slice(start));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

function stringMember(
  json: Readonly<Record<string, unknown>> | undefined,
  name: string,
): string | undefined {
  const value = json?.[name];
  return typeof value === 'string' ? value : undefined;
}

function issueText(json: Readonly<Record<string, unknown>> | undefined): string | undefined {
  const issue: unknown = json?.['issue'];
  if (!Array.isArray(issue)) return undefined;
  const first = issue[0] as { details?: { text?: unknown } } | undefined;
  const text = first?.details?.text;
  return typeof text === 'string' ? text : undefined;
}
