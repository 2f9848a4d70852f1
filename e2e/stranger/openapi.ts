import createClient from 'openapi-fetch';
import type { paths } from './edge.d.ts';

const edge = createClient<paths>({ baseUrl: process.env['EDGE'] ?? '' });
const issue = (id: string) => edge.POST('/v1/destinations/{id}/credentials', { params: { path: { id } } });

const issued = await issue('support');
const unrestricted = await issue('lobby');
const refused = await issue('nowhere');
const reason: 'CLIENT_NOT_GRANTED' | undefined =
  refused.error?.reason === 'CLIENT_NOT_GRANTED' ? refused.error.reason : undefined;
const { realm, accountToken } = issued.data?.credentials ?? {};
console.log(
  realm,
  accountToken?.length,
  Object.keys(unrestricted.data?.credentials ?? { none: 1 }).length,
  reason,
);
