/** JSON as OpenEMR's route handler writes it: everything beyond ASCII escaped, slashes as told. */

/** @param escapeSlashes whether `/` becomes `\/` */
export function encodeJson(value: unknown, escapeSlashes: boolean): string {
  const text = JSON.stringify(value).replace(/[\u0080-\uffff]/g, escapeCharacter);
  return escapeSlashes ? text.replaceAll('/', '\\/') : text;
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
