// A certified OpenID Connect provider (panva/node-oidc-provider) on loopback, with the accounts that the tests name.
// Taken from the environment: PORT, REDIRECT, CLIENT_SECRET, ACCOUNTS (file of JSON, name -> claims, read at each login).
import { readFileSync } from "node:fs";
import Provider from "oidc-provider";

const { PORT, REDIRECT, CLIENT_SECRET, ACCOUNTS } = process.env;
const issuer = `http://127.0.0.1:${PORT}`;

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "vigie",
      client_secret: CLIENT_SECRET,
      redirect_uris: [REDIRECT],
      post_logout_redirect_uris: [REDIRECT],
      grant_types: ["authorization_code"],
      response_types: ["code"],
    },
  ],
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name", "roles"] },
  // Vigie reads the identity token alone, so the claims belong there.
  conformIdTokenClaims: false,
  pkce: { required: () => true },
  cookies: { keys: ["only for tests"] },
  ttl: { Interaction: 600, Session: 3600, Grant: 3600, AccessToken: 600, IdToken: 600 },
  findAccount: (_context, id) => {
    const account = JSON.parse(readFileSync(ACCOUNTS, "utf8"))[id];
    return account && { accountId: id, claims: () => ({ sub: id, ...account }) };
  },
});

provider.listen(Number(PORT), "127.0.0.1", () => process.stdout.write(`${issuer}\n`));
