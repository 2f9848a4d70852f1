export { leafPaths, loadSettings, SettingsError, variableOf, type SettingsSource } from './load.ts';
export { duration, flag, hostAndPort, textList, wholeNumber } from './fields.ts';
