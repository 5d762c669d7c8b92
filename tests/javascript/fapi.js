// A FAPI 2.0 relying party on oauth4webapi: PAR, private_key_jwt, DPoP with nonces, and JARM when told so.
// Reads one JSON command per line, answers one JSON line each: {"do": "begin"} gives the address to visit,
// {"do": "end", "url": ...} the claims of ID token and userinfo, {"do": "jwk"} its public key before it is registered.
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import * as oauth from 'oauth4webapi'

const settings = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const http = { [oauth.allowInsecureRequests]: true }
const pair = (alg) => oauth.generateKeyPair(alg, { extractable: true })
const signing = await pair(settings.algorithm)
const holding = await pair('ES256')
const issuer = new URL(settings.issuer)
const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, http))
const checks = {}
let client, prove, DPoP

// The first proof has no nonce yet; the server names one, and the call is made again (RFC 9449 section 8).
const twice = async (call, read) => {
  try {
    return await read(await call())
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) throw error
    return read(await call())
  }
}

const commands = {
  jwk: async () => {
    const { kty, crv, x, y, n, e } = await crypto.subtle.exportKey('jwk', signing.publicKey)
    return { kty, crv, x, y, n, e, use: 'sig', kid: 'fapi', alg: settings.algorithm }
  },
  register: async ({ client_id }) => {
    const alg = settings.algorithm
    client = { client_id, id_token_signed_response_alg: alg, authorization_signed_response_alg: alg }
    prove = oauth.PrivateKeyJwt({ key: signing.privateKey, kid: 'fapi' })
    DPoP = oauth.DPoP(client, holding)
    return {}
  },
  begin: async ({ parameters }) => {
    checks.verifier = oauth.generateRandomCodeVerifier()
    checks.state = oauth.generateRandomState()
    checks.nonce = oauth.generateRandomNonce()
    const asked = new URLSearchParams({
      response_type: 'code',
      redirect_uri: settings.redirect_uri,
      scope: 'openid eherkenning',
      code_challenge: await oauth.calculatePKCECodeChallenge(checks.verifier),
      code_challenge_method: 'S256',
      state: checks.state,
      nonce: checks.nonce,
      ...parameters,
    })
    if (settings.signed) {
      const key = { key: signing.privateKey, kid: 'fapi' }
      const request = await oauth.issueRequestObject(as, client, asked, key)
      for (const name of [...asked.keys()]) asked.delete(name)
      asked.set('request', request)
    }
    const pushed = await twice(
      () => oauth.pushedAuthorizationRequest(as, client, prove, asked, { DPoP, ...http }),
      (response) => oauth.processPushedAuthorizationResponse(as, client, response),
    )
    const url = new URL(as.authorization_endpoint)
    url.searchParams.set('client_id', client.client_id)
    url.searchParams.set('request_uri', pushed.request_uri)
    return { url: url.href }
  },
  end: async ({ url, jarm }) => {
    const validate = jarm ? oauth.validateJwtAuthResponse : oauth.validateAuthResponse
    const given = await validate(as, client, new URL(url), checks.state, http)
    const tokens = await twice(
      () => oauth.authorizationCodeGrantRequest(
        as, client, prove, given, settings.redirect_uri, checks.verifier, { DPoP, ...http },
      ),
      (response) => oauth.processAuthorizationCodeResponse(as, client, response, {
        expectedNonce: checks.nonce, requireIdToken: true,
      }),
    )
    const claims = oauth.getValidatedIdTokenClaims(tokens)
    const userinfo = await twice(
      () => oauth.userInfoRequest(as, client, tokens.access_token, { DPoP, ...http }),
      (response) => oauth.processUserInfoResponse(as, client, claims.sub, response),
    )
    return { claims, userinfo, token_type: tokens.token_type }
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
