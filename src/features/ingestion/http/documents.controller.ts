import { Body, Controller, Delete, Get, Param, Post, Put, Query, UploadedFile } from '@nestjs/common';
import { currentContext } from '../../../kernel/context.js';
import type { Page } from '../../../kernel/cursor.js';
import { MAX_PAGE, Operation, Reply } from '../../../platform/http/index.js';
import { GATE_ERRORS } from '../../vector-dbs/index.js';
import { AcceptDocument, type Accepted } from '../application/accept-document.js';
import { DeleteDocument } from '../application/delete-document.js';
import { DocumentContent } from '../application/document-content.js';
import { DocumentLabels } from '../application/document-labels.js';
import { Documents } from '../application/documents.js';
import { ReindexDocument } from '../application/reindex-document.js';
import { Submissions } from '../application/submissions.js';
import {
  AcceptedDocumentDto,
  CreateTextDocumentDto,
  DocumentContentDto,
  DocumentContentQuery,
  DocumentDto,
  ListDocumentsQuery,
  ReindexDocumentDto,
  ReplaceLabelsDto,
  toAcceptedDto,
  toDocumentContentDto,
  toDocumentDto,
  UploadDocumentDto,
} from './documents.dto.js';
import { readUpload } from './uploaded-file.js';

const INGEST_ERRORS = [
  'NOT_FOUND',
  'AUTHZ_DENIED',
  'INGEST_VALIDATION_ERROR',
  'QUEUE_ERROR',
  'SERVICE_BUSY',
  'BLOB_STORE_UNAVAILABLE',
  'residency.provider_mismatch',
  'residency.egress_blocked',
  ...GATE_ERRORS,
];

@Controller('v1/documents')
export class DocumentsController {
  constructor(
    private readonly documents: Documents,
    private readonly contents: DocumentContent,
    private readonly labels: DocumentLabels,
    private readonly submissions: Submissions,
    private readonly acceptance: AcceptDocument,
    private readonly reindexing: ReindexDocument,
    private readonly deletion: DeleteDocument,
  ) {}

  @Get()
  @Operation({
    id: 'documents.list',
    summary: 'List documents, oldest first',
    role: 'reader',
    rateClass: 'read',
    cost: 1,
    errors: ['INVALID_CURSOR'],
    returns: [DocumentDto],
  })
  async list(@Query() { corpus_id, limit = MAX_PAGE, cursor }: ListDocumentsQuery): Promise<Page<DocumentDto>> {
    const page = await this.documents.list(corpus_id === undefined ? {} : { corpusId: corpus_id }, limit, cursor);
    return page.map((document) => toDocumentDto({ ...document, numChunks: null }));
  }

  @Get(':id')
  @Operation({
    id: 'documents.get',
    summary: 'Get a document and the state of its ingestion',
    role: 'reader',
    rateClass: 'read',
    cost: 1,
    errors: ['NOT_FOUND', 'AUTHZ_DENIED'],
    returns: DocumentDto,
  })
  async get(@Param('id') id: string): Promise<DocumentDto> {
    return toDocumentDto(await this.documents.get(id));
  }

  @Get(':id/content')
  @Operation({
    id: 'documents.content',
    summary: 'Read the text of a document, or the part of it that was cited',
    role: 'reader',
    rateClass: 'read',
    cost: 1,
    errors: ['NOT_FOUND', 'AUTHZ_DENIED', 'INGEST_IN_PROGRESS', 'INGEST_SOURCE_MISSING', 'BLOB_STORE_UNAVAILABLE'],
    returns: DocumentContentDto,
  })
  async content(@Param('id') id: string, @Query() { from = 0, to }: DocumentContentQuery): Promise<DocumentContentDto> {
    return toDocumentContentDto(id, await this.contents.read(id, from, to));
  }

  @Post()
  @Operation({
    id: 'documents.upload',
    summary: 'Upload a file to a corpus',
    role: 'editor',
    rateClass: 'mutation',
    cost: 1,
    status: 202,
    alternatives: [200],
    body: 'multipart',
    audit: ['documents.ingest.enqueued'],
    errors: [...INGEST_ERRORS, 'CONFLICT', 'DOCUMENT_EXISTS', 'UNSUPPORTED_MEDIA_TYPE'],
    returns: AcceptedDocumentDto,
  })
  async upload(
    @Body() body: UploadDocumentDto,
    @UploadedFile() file: Express.Multer.File | undefined,
  ): Promise<Reply<AcceptedDocumentDto>> {
    const submission = this.submissions.ofUpload({
      corpusId: body.corpus_id,
      documentId: body.document_id,
      overwrite: body.overwrite ?? false,
      metadataJson: body.metadata_json,
      file: await readUpload(file),
    });
    return reply(await this.acceptance.accept(submission));
  }

  @Post('text')
  @Operation({
    id: 'documents.createText',
    summary: 'Add a text to a corpus',
    role: 'editor',
    rateClass: 'mutation',
    cost: 1,
    status: 202,
    alternatives: [200],
    body: 'json',
    audit: ['documents.ingest.enqueued'],
    errors: [...INGEST_ERRORS, 'CONFLICT', 'DOCUMENT_EXISTS'],
    returns: AcceptedDocumentDto,
  })
  async createText(@Body() body: CreateTextDocumentDto): Promise<Reply<AcceptedDocumentDto>> {
    const submission = this.submissions.ofText({
      corpusId: body.corpus_id,
      documentId: body.document_id ?? undefined,
      overwrite: body.overwrite ?? false,
      text: body.text,
      filename: body.filename ?? undefined,
      metadata: body.metadata_json,
      chunkSize: body.chunk_size_chars ?? undefined,
      chunkOverlap: body.chunk_overlap_chars ?? undefined,
    });
    return reply(await this.acceptance.accept(submission));
  }

  @Post(':id/reindex')
  @Operation({
    id: 'documents.reindex',
    summary: 'Chunk and embed the stored text again',
    role: 'editor',
    rateClass: 'mutation',
    cost: 1,
    status: 202,
    body: 'json',
    audit: ['documents.reindex.enqueued'],
    errors: [...INGEST_ERRORS, 'INGEST_IN_PROGRESS', 'INGEST_SOURCE_MISSING'],
    returns: AcceptedDocumentDto,
  })
  async reindex(@Param('id') id: string, @Body() body: ReindexDocumentDto): Promise<Reply<AcceptedDocumentDto>> {
    const accepted = await this.reindexing.reindex(id, {
      chunkSize: body.chunk_size_chars ?? undefined,
      chunkOverlap: body.chunk_overlap_chars ?? undefined,
    });
    return reply(accepted);
  }

  @Put(':id/labels')
  @Operation({
    id: 'documents.replaceLabels',
    summary: 'Replace the labels of a document, which access policies see',
    role: 'editor',
    rateClass: 'mutation',
    cost: 1,
    body: 'json',
    audit: ['documents.labels.replaced'],
    errors: ['NOT_FOUND', 'AUTHZ_DENIED', 'INGEST_VALIDATION_ERROR'],
    returns: DocumentDto,
  })
  async replaceLabels(@Param('id') id: string, @Body() body: ReplaceLabelsDto): Promise<DocumentDto> {
    return toDocumentDto(await this.labels.replace(id, this.submissions.ofLabels(body.labels)));
  }

  @Delete(':id')
  @Operation({
    id: 'documents.delete',
    summary: 'Delete a document with its chunks and stored text',
    role: 'editor',
    rateClass: 'mutation',
    cost: 1,
    status: 204,
    response: 'empty',
    audit: ['documents.deleted'],
    errors: ['NOT_FOUND', 'AUTHZ_DENIED', 'INGEST_IN_PROGRESS'],
  })
  async delete(@Param('id') id: string): Promise<void> {
    await this.deletion.delete(id);
  }
}

/** 202 when there is something to wait for, 200 when nothing was changed. */
function reply(accepted: Accepted): Reply<AcceptedDocumentDto> {
  const body = toAcceptedDto(accepted, currentContext().apiVersion);
  return accepted.scheduled
    ? new Reply(body, { status: 202, headers: { Location: body.status_url } })
    : new Reply(body, { status: 200 });
}
