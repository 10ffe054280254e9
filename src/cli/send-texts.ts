/** `404: 2, 503: 1`, or `0`. */
export function formatCounts(byCause: Readonly<Record<string, number>>): string {
  return (
    Object.entries(byCause)
      .map(([cause, count]) => `${cause}: ${count}`)
      .join(', ') || '0'
  );
}
