// Verifies what a receiver got, from stdin as {raw, headers, secret, whsec}: with Node's own crypto as Plane's
// documentation shows it, and with the reference library for Standard Webhooks. Prints who accepts it.
const { createHmac, timingSafeEqual } = require("node:crypto");
const { Webhook } = require("standardwebhooks");

const { raw, headers, secret, whsec } = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const body = Buffer.from(raw, "base64");

function isPlanes() {
  const expected = Buffer.from(createHmac("sha256", secret).update(body).digest("hex"));
  const given = Buffer.from(headers["x-plane-signature"]);
  return expected.length === given.length && timingSafeEqual(expected, given);
}

function isStandard() {
  try {
    new Webhook(whsec).verify(body.toString("utf8"), headers);
    return true;
  } catch (error) {
    if (error.constructor.name !== "WebhookVerificationError") throw error;
    return false;
  }
}

console.log(JSON.stringify({ plane: isPlanes(), standard: isStandard() }));
