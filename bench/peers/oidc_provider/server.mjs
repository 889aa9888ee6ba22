// oidc-provider as its documentation sets it up: its own server, its own store in memory. PORT is given.
import Provider from "oidc-provider";

const port = Number(process.env.PORT);
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      client_id: "bench",
      client_secret: "a-secret-for-measuring",
      grant_types: ["client_credentials"],
      redirect_uris: [],
      response_types: [],
    },
  ],
  features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
  scopes: ["read"],
  ttl: { ClientCredentials: 86400 },
});
provider.listen(port, "127.0.0.1");
