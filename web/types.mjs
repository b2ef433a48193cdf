// The page's types, made from what the hotline says of itself in docs/: `npm run types`; with --check it only says what is stale.
import { readFile, writeFile } from 'node:fs/promises'
import openapiTS, { COMMENT_HEADER, astToString } from 'openapi-typescript'

const docs = new URL('../docs/', import.meta.url)
const src = new URL('desk/src/', import.meta.url)

/** The schemas of an AsyncAPI document are JSON Schema, as OpenAPI's are; the rest of it is of no use here. */
function schemasAlone(text) {
  const [, schemas] = text.split('\n  schemas:\n')
  return `openapi: 3.1.0\ninfo: {title: feed, version: '1'}\npaths: {}\ncomponents:\n  schemas:\n${schemas}`
}

let stale = 0
for (const [from, to, prepare] of [
  ['desk.openapi.yaml', 'described.d.ts', (text) => text],
  ['feed.asyncapi.yaml', 'told.d.ts', schemasAlone],
]) {
  const text = prepare(await readFile(new URL(from, docs), 'utf8'))
  const types = COMMENT_HEADER + astToString(await openapiTS(text, { emptyObjectsUnknown: true, immutable: true, silent: true }))
  const file = new URL(to, src)
  if (!process.argv.includes('--check')) await writeFile(file, types)
  else if ((await readFile(file, 'utf8').catch(() => '')) !== types) {
    console.error(`desk/src/${to} is stale. Mend: npm run types, in web/`)
    stale = 1
  }
}
process.exitCode = stale
