// An OpenID Connect relying party on openid-client. Reads one JSON command per line, answers one JSON line each:
// {"do": "begin"} gives the address to visit; {"do": "end", "url": ...} the claims of ID token and userinfo.
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import * as client from 'openid-client'

const settings = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const config = await client.discovery(
  new URL(settings.issuer), settings.client_id, settings.metadata, client.ClientSecretBasic(settings.client_secret),
  { execute: [client.allowInsecureRequests] },
)
const checks = {}

const commands = {
  begin: async ({ parameters }) => {
    checks.pkceCodeVerifier = client.randomPKCECodeVerifier()
    checks.expectedState = client.randomState()
    checks.expectedNonce = client.randomNonce()
    const url = client.buildAuthorizationUrl(config, {
      redirect_uri: settings.redirect_uri,
      scope: 'openid eherkenning',
      code_challenge: await client.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
      code_challenge_method: 'S256',
      state: checks.expectedState,
      nonce: checks.expectedNonce,
      ...parameters,
    })
    return { url: url.href }
  },
  end: async ({ url }) => {
    const tokens = await client.authorizationCodeGrant(config, new URL(url), checks)
    const claims = tokens.claims()
    return { claims, userinfo: await client.fetchUserInfo(config, tokens.access_token, claims.sub) }
  },
}

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line)
  try {
    console.log(JSON.stringify({ done: await commands[command.do](command) }))
  } catch (error) {
    console.log(JSON.stringify({ refused: error.error ?? error.code ?? error.message }))
  }
}
