// A SAML relying party on node-saml. Reads one JSON command per line, answers one JSON line each:
// {"do": "begin"} gives the address to visit; {"do": "end", "response": ...} the profile of the person.
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { SAML } from '@node-saml/node-saml'

const settings = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const saml = new SAML({
  ...settings,
  wantAuthnResponseSigned: true,
  wantAssertionsSigned: true,
  validateInResponseTo: 'always',
  signatureAlgorithm: 'sha256',
  digestAlgorithm: 'sha256',
  identifierFormat: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
  authnContext: ['urn:etoegang:core:assurance-class:loa3'],
  racComparison: 'minimum',
})

const commands = {
  begin: async () => ({ url: await saml.getAuthorizeUrlAsync('relay-1', undefined, {}) }),
  end: async ({ response }) => (await saml.validatePostResponseAsync({ SAMLResponse: response })).profile,
}

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line)
  try {
    console.log(JSON.stringify({ done: await commands[command.do](command) }))
  } catch (error) {
    console.log(JSON.stringify({ refused: error.message }))
  }
}
