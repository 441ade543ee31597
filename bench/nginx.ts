/**
 * What both nginx configurations begin with.
 *
 * @param prefix path of its files, to which endings are added
 */
export function nginxHead(prefix: string, workers: number | 'auto'): string {
  // Started by root, nginx would hand its workers to a user who cannot read a temporary folder.
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  return `${user}
daemon off;
worker_processes ${workers};
pid ${prefix}.pid;
error_log ${prefix}.log crit;
events { worker_connections 8192; }`;
}
