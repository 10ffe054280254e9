// `helm test` runs this in a pod: node check-relay.mjs URL…
// Each URL must answer 2xx. A relay that is still starting has a minute.
const PATIENCE_MS = Number(process.env.PATIENCE_MS ?? 60_000);
const INTERVAL_MS = 2_000;
const REQUEST_TIMEOUT_MS = 5_000;

async function answerOf(url) {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
    return { ok: response.ok, text: `${response.status} ${(await response.text()).trim()}` };
  } catch (error) {
    return { ok: false, text: `${error.message}: ${error.cause?.message ?? 'no answer'}` };
  }
}

const until = Date.now() + PATIENCE_MS;
// In the pod the script is an argument itself, so the position of the first URL differs.
for (const url of process.argv.filter((word) => /^https?:/.test(word))) {
  let answer = await answerOf(url);
  while (!answer.ok && Date.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
    answer = await answerOf(url);
  }
  console.log(`${answer.ok ? 'ok    ' : 'failed'} ${url} ${answer.text}`);
  if (!answer.ok) process.exitCode = 1;
}
