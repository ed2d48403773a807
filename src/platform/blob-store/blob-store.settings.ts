import { bool, defineSettings, oneOf, text, url, type SettingsOf } from '../../kernel/settings.js';

export const blobStoreSettings = defineSettings(
  'blobStore',
  'Document storage',
  {
    driver: oneOf(['local', 's3'], {
      env: 'DOCUMENT_STORAGE_DRIVER',
      default: 'local',
      doc: 'Where uploaded sources are kept. local is a folder that all processes must share; s3 is any store with the S3 API.',
    }),
    dir: text({
      env: 'DOCUMENT_STORAGE_DIR',
      default: undefined,
      doc: 'Folder of the local driver. Unset: documents in the data folder.',
    }),
    s3Bucket: text({
      env: 'DOCUMENT_STORAGE_S3_BUCKET',
      default: undefined,
      doc: 'Bucket of the s3 driver; it must exist. Credentials come from the AWS default chain: environment, shared files, or the identity of the machine.',
    }),
    s3Region: text({
      env: 'DOCUMENT_STORAGE_S3_REGION',
      default: undefined,
      doc: 'Region of the bucket. Unset: what the AWS environment or shared configuration says.',
    }),
    s3Endpoint: url(['http', 'https'], {
      env: 'DOCUMENT_STORAGE_S3_ENDPOINT',
      default: undefined,
      doc: 'Address of a store with the S3 API outside AWS. Unset: AWS.',
    }),
    s3ForcePathStyle: bool({
      env: 'DOCUMENT_STORAGE_S3_FORCE_PATH_STYLE',
      default: false,
      doc: 'Put the bucket in the path instead of the host name; most stores outside AWS need it.',
    }),
  },
  [
    ({ driver, s3Bucket }) =>
      driver === 's3' && s3Bucket === undefined
        ? 'DOCUMENT_STORAGE_S3_BUCKET is required when DOCUMENT_STORAGE_DRIVER is s3.'
        : undefined,
  ],
);

export type BlobStoreSettings = SettingsOf<typeof blobStoreSettings>;
