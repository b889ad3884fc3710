/**
 * The form of a request's query: every key, with values that differ from run to run replaced by what they are.
 */
import type { PlayerRequest } from './requests.ts';

const SECONDS_RANGES: readonly { from: number; to: number; name: string }[] = [
  { from: 300, to: 600, name: '5-10min' },
  { from: 1_800, to: 3_600, name: '30-60min' },
];

/** `fieldSelector=metadata.name=NODE&timeout=as timeoutSeconds&timeoutSeconds=5-10min&watch=true`. */
export function queryForm(request: PlayerRequest, nodeName: string): string {
  return [...request.query]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${valueForm(key, value, request, nodeName)}`)
    .join('&');
}

function valueForm(key: string, value: string, request: PlayerRequest, nodeName: string): string {
  if (key === 'timeoutSeconds') {
    const seconds = Number(value);
    return SECONDS_RANGES.find(({ from, to }) => seconds >= from && seconds < to)?.name ?? value;
  }
  if (key === 'timeout') {
    const watchSeconds = request.query.get('timeoutSeconds');
    return watchSeconds !== undefined && goSeconds(value) === Number(watchSeconds)
      ? 'as timeoutSeconds'
      : value;
  }
  if (key === 'resourceVersion') return value === '0' ? '0' : 'N';
  return value.replaceAll(nodeName, 'NODE');
}

/** Seconds of `1h2m3s`. */
function goSeconds(text: string): number {
  const units: Record<string, number> = { h: 3_600, m: 60, s: 1 };
  return [...text.matchAll(/(\d+)([hms])/g)].reduce(
    (sum, [, number, unit]) => sum + Number(number) * (units[unit ?? ''] ?? 0),
    0,
  );
}
