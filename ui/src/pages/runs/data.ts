// The runs of the table: the first hundred at once, the others while the person looks.
import { useEffect, useMemo, useState } from "preact/hooks";
import { api, useApi } from "../../api/client";
import type { ApiError, RunPage, RunRow } from "../../api/types";

const FIRST = 100;
const PAGE = 2500;
export const MOST = 20_000;
/** Rows beyond the first are read again at most this often while things change. */
const AGAIN = 15_000;

interface Rest {
  query: string;
  rows: RunRow[];
  /** Where it goes on; "" when all are there. */
  token: string;
  at: number;
}

export interface Runs {
  rows: RunRow[];
  keys: RunPage["keys"];
  /** All that fit are here. */
  complete: boolean;
  loaded: boolean;
  error?: ApiError;
}

export function useRuns(args: { experiment: string; folder: string; filter: string; order_by: string; cols: string }): Runs {
  const first = useApi<RunPage>(api("/runs", { ...args, max: FIRST }));
  const query = JSON.stringify(args);
  const [rest, setRest] = useState<Rest>({ query: "", rows: [], token: "", at: 0 });
  const token = first.data?.next_page_token ?? "";

  useEffect(() => {
    if (!token || (rest.query === query && Date.now() - rest.at < AGAIN)) return;
    const stop = new AbortController();
    const known = rest.query === query ? rest.rows : [];
    const read = async () => {
      const rows: RunRow[] = [];
      let next = token;
      while (next && rows.length < MOST) {
        const response = await fetch(api("/runs", { ...args, max: PAGE, page_token: next }), { signal: stop.signal });
        if (!response.ok) return;
        const page = (await response.json()) as RunPage;
        rows.push(...page.runs);
        next = page.next_page_token;
        // What was there stays until the new list is longer.
        if (rows.length >= known.length || !next) setRest({ query, rows: [...rows], token: next, at: Date.now() });
      }
    };
    const timer = setTimeout(() => void read().catch(() => undefined), 120);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [query, token, first.data]);

  const rows = useMemo(() => {
    const head = first.data?.runs ?? [];
    if (rest.query !== query || !token) return head;
    const known = new Set(head.map((r) => r.id));
    return [...head, ...rest.rows.filter((r) => !known.has(r.id))];
  }, [first.data, rest, query]);
  return {
    rows,
    keys: first.data?.keys ?? { metrics: [], params: [], tags: [] },
    complete: !token || (rest.query === query && !rest.token),
    loaded: first.data !== undefined,
    ...(first.error ? { error: first.error } : {}),
  };
}
