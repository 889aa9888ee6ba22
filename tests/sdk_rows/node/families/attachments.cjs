// Attachments of work items: announced, uploaded, completed, downloaded.
const assert = require("node:assert/strict");
const { row } = require("../rows.cjs");

const DRAWING = "%PDF-1.7 a wheel";
const ANNOUNCED = { name: "wheel.pdf", type: "application/pdf", size: DRAWING.length };

async function makeItem({ client, item, projectId, slug }) {
  const at = [slug, projectId, (await item()).id];
  const { attachments } = client.workItems;
  const list = async () => (await attachments.list(...at)).map(({ id }) => id).sort();
  return { at, attachments, list };
}

async function upload({ at, attachments }) {
  const made = await attachments.create(...at, ANNOUNCED);
  const { url, fields } = made.upload_data;
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append("file", new Blob([DRAWING], { type: ANNOUNCED.type }), ANNOUNCED.name);
  assert.ok((await fetch(url, { method: "POST", body: form })).ok);
  await attachments.update(...at, made.asset_id, { is_uploaded: true });
  return made.asset_id;
}

for (const method of ["create", "list", "update"]) {
  row(`workItems.attachments.${method}`, async (place) => {
    const item = await makeItem(place);
    await item.attachments.create(...item.at, ANNOUNCED); // nothing is uploaded for it
    const made = [await upload(item), await upload(item)];
    assert.deepEqual(await item.list(), made.sort());
  });
}

row("workItems.attachments.retrieve", async (place) => {
  const item = await makeItem(place);
  assert.equal(await item.attachments.retrieve(...item.at, await upload(item)), DRAWING);
});

row("workItems.attachments.delete", async (place) => {
  const item = await makeItem(place);
  const [made, left] = [await upload(item), await upload(item)];
  await item.attachments.delete(...item.at, made);
  assert.deepEqual(await item.list(), [left]);
});
