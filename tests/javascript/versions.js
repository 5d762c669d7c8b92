// Loads the libraries and names them, so that a broken installation is seen before a login fails for it.
import { SAML } from '@node-saml/node-saml'
import * as oauth from 'oauth4webapi'
import * as client from 'openid-client'

if (typeof SAML === 'function') console.log('node-saml')
if (typeof oauth.discoveryRequest === 'function') console.log('oauth4webapi')
if (typeof client.discovery === 'function') console.log('openid-client')
