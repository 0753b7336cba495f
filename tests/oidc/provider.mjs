// A provider of OpenID Connect for the tests: whoever signs in as NAME has the address NAME@id.test. The arguments are the folder
// that oidc-provider is installed in and where browsers are sent back to; the first line says where it is. It ends with its input.
import { createServer } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [, , folder, back] = process.argv;
const { Provider } = await import(pathToFileURL(join(folder, 'node_modules/oidc-provider/lib/index.js')));

let handle;
const server = createServer((request, response) => handle(request, response));
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{ client_id: 'pagefold', client_secret: 'a secret with/odd+signs=', redirect_uris: [back] }],
    claims: { email: ['email', 'email_verified'], profile: ['name', 'preferred_username'] },
    cookies: { keys: ['for tests alone'] },
    pkce: { required: () => true },
    findAccount: async (_, sub) => ({
      accountId: sub,
      claims: async () => ({
        sub,
        name: `The ${sub}`,
        preferred_username: sub,
        email: `${sub}@id.test`,
        email_verified: sub !== 'unproved',
      }),
    }),
  });
  handle = provider.callback();
  console.log(issuer);
});
process.stdin.on('end', () => process.exit()).resume();
