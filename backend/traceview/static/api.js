// Requests to traceview itself. What the page makes of an answer is another matter: only
// a failed request says that the server does not answer.

export class UnreachableError extends Error {}

/**
 * Send a request.
 * @param {string} path
 * @param {RequestInit} [options]
 * @returns {Promise<Response>} any answer below 500
 * @throws {UnreachableError} traceview gave none
 */
export async function ask(path, options = {}) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new UnreachableError(String(error));
  }
  if (response.status >= 500) throw new UnreachableError(`status ${response.status}`);
  return response;
}
