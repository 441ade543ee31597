/** Where a hint sends people: screens of OpenEMR, and what is known of its defects. */
import type { Link } from './entry.ts';

/** Admin screen of the clients. */
export const API_CLIENTS = 'Admin > System > API Clients';
/** Admin screen of the API switches; in 6.x "Administration > Globals > Connectors". */
export const CONNECTORS = 'Admin > Config > Connectors';

/** An issue or pull request of OpenEMR. */
export function openemrIssue(number: number, label: string): Link {
  return { label, url: `https://github.com/openemr/openemr/issues/${number}` };
}
