import { z } from 'zod';
import { canonicalJson } from '../../../kernel/canonical-json.js';
import { sha256Hex } from '../../../kernel/hash.js';
import type { PeerKeys, RegionKeys } from './region-keys.js';

export const FORMAT = 'tenant-data-export';
export const FORMAT_VERSION = 1;

/** A row's place in the order of its table: the texts of its key, the tenant left out. */
const key = z.array(z.string());
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** The rows of one table in one range of keys. */
const fileSchema = z.strictObject({
  name: z.string(),
  table: z.string(),
  /** Behind which key the range begins; null for the start of the table. */
  after: key.nullable(),
  /** The last key of the range; null for everything to the end of the table. */
  through: key.nullable(),
  rows: z.int().min(0),
  sha256,
  /** False where the receiver has the same already. */
  included: z.boolean(),
});

/** Rows of a table, and a hash of the hashes of its files. */
const totalSchema = z.strictObject({ rows: z.int().min(0), sha256 });

const manifestSchema = z.strictObject({
  format: z.literal(FORMAT),
  format_version: z.literal(FORMAT_VERSION),
  export_id: z.uuid(),
  tenant_id: z.string().min(1).max(128),
  source_region: z.string().nullable(),
  target_region: z.string(),
  created_at: z.iso.datetime(),
  include: z.array(z.string()),
  /** Names this state, for the `since_watermark` of a later export. */
  watermark: z.string(),
  since_watermark: z.string().nullable(),
  counts: z.record(z.string(), z.int()),
  files: z.array(fileSchema),
  /** Public key of the region that signed. */
  signed_by: z.string(),
  signature: z.string(),
});

const verificationSchema = z.strictObject({
  export_id: z.uuid(),
  tenant_id: z.string(),
  region: z.string().nullable(),
  /** Where the tenant is pinned to when this is issued. */
  pin: z.string().nullable(),
  /** As they were read back when the import ended. */
  tables: z.record(z.string(), totalSchema),
  verified_at: z.iso.datetime(),
  issued_at: z.iso.datetime(),
  signed_by: z.string(),
  signature: z.string(),
});

export type Key = z.infer<typeof key>;
export type ManifestFile = z.infer<typeof fileSchema>;
export type Manifest = z.infer<typeof manifestSchema>;
export type Totals = Readonly<Record<string, z.infer<typeof totalSchema>>>;
/** What one region says to another about a tenant that it imported. */
export type Verification = z.infer<typeof verificationSchema>;

type Signed = { readonly signed_by: string; readonly signature: string };

export function signed<T extends object>(keys: RegionKeys, statement: T): T & Signed {
  const known = { ...statement, signed_by: keys.publicText };
  return { ...known, signature: keys.sign(canonicalJson(known)) };
}

/** Undefined for what is no manifest, or not signed by one of the regions. */
export function readManifest(value: unknown, peers: readonly PeerKeys[]): Manifest | undefined {
  return readSigned(manifestSchema, value, peers);
}

/** Undefined for what is no verification, or not signed by one of the regions. */
export function readVerification(value: unknown, peers: readonly PeerKeys[]): Verification | undefined {
  return readSigned(verificationSchema, value, peers);
}

function readSigned<T extends Signed>(schema: z.ZodType<T>, value: unknown, peers: readonly PeerKeys[]): T | undefined {
  const parsed = schema.safeParse(value);
  if (!parsed.success) return undefined;
  const { signature, ...statement } = parsed.data;
  const signer = peers.find(({ publicText }) => publicText === statement.signed_by);
  return signer?.verify(canonicalJson(statement), signature) === true ? parsed.data : undefined;
}

/** The same on both sides exactly when every row of every table is. */
export function totalsOf(files: readonly Pick<ManifestFile, 'table' | 'rows' | 'sha256'>[]): Totals {
  const tables = [...new Set(files.map(({ table }) => table))];
  return Object.fromEntries(
    tables.map((table) => {
      const own = files.filter((file) => file.table === table);
      const rows = own.reduce((sum, file) => sum + file.rows, 0);
      return [table, { rows, sha256: sha256Hex(own.map((file) => file.sha256).join('\n')) }];
    }),
  );
}

/** Names of the tables in which two regions differ. */
export function differences(ours: Totals, theirs: Totals): string[] {
  const tables = new Set([...Object.keys(ours), ...Object.keys(theirs)]);
  return [...tables].filter((table) => ours[table]?.sha256 !== theirs[table]?.sha256).sort();
}
