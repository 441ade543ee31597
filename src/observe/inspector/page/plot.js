import { element, svg } from './element.js';
import { duration } from './format.js';

/** @typedef {import('./types.js').Point} Point */

const WIDTH = 360;
const HEIGHT = 64;
/** Points without a request across which a line goes on. */
const LONGEST_PAUSE = 6;
/** Bottom line of the plot. */
const FLOOR = HEIGHT - 1;

/** Requests and errors as bars, durations as lines, each with its legend. @param {Point[]} points */
export function buildTraffic(points) {
  const total = sum(points, 'requests');
  const client = sum(points, 'clientErrors');
  const server = sum(points, 'serverErrors');
  const most = Math.max(1, ...points.map(({ requests }) => requests));
  const slowest = Math.max(1, ...points.map(({ p95Ms = 0 }) => p95Ms));
  const p50 = latest(points, 'p50Ms');
  const p95 = latest(points, 'p95Ms');
  return element(
    'div',
    {},
    figure(
      `${total} requests, ${client} with a 4xx status, ${server} failed`,
      bars(points, most),
      total > 0 ? String(most) : '',
    ),
    legend([
      ['ok', `${total} requests`],
      ['client', `${client} × 4xx`],
      ['server', `${server} × 5xx`],
    ]),
    figure(
      `median duration ${duration(p50)}, 95th percentile ${duration(p95)}`,
      [line('p95', points, 'p95Ms', slowest), line('p50', points, 'p50Ms', slowest)],
      p95 === undefined ? '' : duration(slowest),
    ),
    legend([
      ['p50', `p50 ${duration(p50)}`],
      ['p95', `p95 ${duration(p95)}`],
      ['far', 'a point is 10 s'],
    ]),
  );
}

/** @param {string} label @param {Node[]} shapes @param {string} scale value at the top */
function figure(label, shapes, scale) {
  const axis = svg('line', { class: 'axis', x1: 0, x2: WIDTH, y1: FLOOR, y2: FLOOR });
  const attributes = {
    class: 'plot',
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    preserveAspectRatio: 'none',
  };
  const plot = svg('svg', { ...attributes, role: 'img', 'aria-label': label }, axis, ...shapes);
  return element('div.figure', {}, plot, element('span.scale', {}, scale));
}

/** @param {Point[]} points @param {number} most */
function bars(points, most) {
  const step = WIDTH / points.length;
  return points.flatMap((point, index) => {
    const { requests, clientErrors, serverErrors } = point;
    /** @type {[string, number][]} */
    const stack = [
      ['server', serverErrors],
      ['client', clientErrors],
      ['ok', requests - clientErrors - serverErrors],
    ];
    let y = FLOOR;
    return stack.flatMap(([className, count]) => {
      if (count <= 0) return [];
      const height = Math.max(1.5, (count / most) * (FLOOR - 3));
      y -= height;
      return [svg('rect', { class: className, x: index * step, y, width: step * 0.8, height })];
    });
  });
}

/**
 * A line through the points that had requests; longer pauses break it.
 *
 * @param {string} className
 * @param {Point[]} points
 * @param {'p50Ms' | 'p95Ms'} member
 * @param {number} slowest
 */
function line(className, points, member, slowest) {
  const step = WIDTH / points.length;
  let last = -Infinity;
  const path = points.map((point, index) => {
    const ms = point[member];
    if (ms === undefined) return '';
    const x = (index + 0.4) * step;
    const y = FLOOR - (ms / slowest) * (FLOOR - 4);
    const joined = index - last <= LONGEST_PAUSE;
    last = index;
    // The short stroke shows a point that has no neighbours.
    return joined ? `L${x.toFixed(1)} ${y.toFixed(1)}` : `M${x.toFixed(1)} ${y.toFixed(1)}h1`;
  });
  return svg('path', { class: className, d: path.join(''), 'vector-effect': 'non-scaling-stroke' });
}

/** @param {[string, string][]} items */
function legend(items) {
  return element(
    'p.legend',
    {},
    ...items.map(([className, text]) => element('span', { className }, text)),
  );
}

/** @param {Point[]} points @param {'requests' | 'clientErrors' | 'serverErrors'} member */
function sum(points, member) {
  return points.reduce((total, point) => total + point[member], 0);
}

/** @param {Point[]} points @param {'p50Ms' | 'p95Ms'} member */
function latest(points, member) {
  return points.findLast((point) => point[member] !== undefined)?.[member];
}
