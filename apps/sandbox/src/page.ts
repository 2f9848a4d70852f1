/** Builds the click-to-call page where that has not been done yet, and gives the folder it lies in. */
export async function buildPage(): Promise<string> {
  // Found from here both as source and as built file.
  const builder = (await import(new URL('../page/build.mjs', import.meta.url).href)) as {
    buildPage: () => Promise<string>;
  };
  return builder.buildPage();
}
