import type { EntryQuery, LedgerStore, PositionedEntry } from '@callpass/domain';
import { invalidField } from '../errors/refusal.ts';

const DEFAULT_PAGE = 100;

/** A page of the entries that match, and the token of the next. */
export async function listEntries(
  store: Pick<LedgerStore, 'listEntries'>,
  filter: Omit<EntryQuery, 'afterPosition' | 'limit'>,
  page: { size: number; token: string },
): Promise<{ entries: readonly PositionedEntry[]; nextToken: string }> {
  const afterPosition = page.token === '' ? 0 : Number(page.token);
  if (!Number.isSafeInteger(afterPosition) || afterPosition < 0)
    throw invalidField('page_token', 'is not from this list');
  const limit = page.size || DEFAULT_PAGE;
  const entries = await store.listEntries({ ...filter, afterPosition, limit });
  const last = entries.at(-1);
  return { entries, nextToken: last && entries.length === limit ? String(last.position) : '' };
}
