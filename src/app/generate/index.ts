import { loadSettings } from '../../kernel/settings.js';
import { SETTINGS } from '../catalogue.js';
import { createHttpApp } from '../http-app.js';
import { openInfrastructure } from '../infrastructure.js';
import { auditPage } from './audit-docs.js';
import { errorsPage } from './errors-docs.js';
import { openApiDocument } from './openapi.js';
import { envExample, settingsPage } from './settings-docs.js';

/**
 * The generated files by their path in the repository.
 *
 * @param scratch an empty folder for the embedded database that the application is assembled on.
 */
export async function generateFiles(scratch: string): Promise<Record<string, string>> {
  const settings = loadSettings({ NEXUSRAG_DATA_DIR: scratch, LOG_LEVEL: 'SILENT' }, SETTINGS);
  const infrastructure = await openInfrastructure(settings);
  const app = await createHttpApp(infrastructure);
  try {
    const { routes } = app.manifest;
    return {
      'openapi.json': `${JSON.stringify(openApiDocument(app.nest, routes), null, 2)}\n`,
      '.env.example': envExample(SETTINGS),
      'docs/generated/settings.md': settingsPage(SETTINGS),
      'docs/generated/errors.md': errorsPage(routes),
      'docs/generated/audit-events.md': auditPage(),
    };
  } finally {
    await app.close();
    await infrastructure.close();
  }
}
