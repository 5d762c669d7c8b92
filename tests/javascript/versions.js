// Loads both libraries and names them, so that a broken installation is seen before a login fails for it.
import { SAML } from '@node-saml/node-saml'
import * as client from 'openid-client'

if (typeof SAML === 'function') console.log('node-saml')
if (typeof client.discovery === 'function') console.log('openid-client')
