import { isLoopback } from '../lib/loopback.ts';
import type { AttributeReader } from './attribute-reader.ts';
import type { ComponentSettings } from './settings.ts';
import { readBoolean } from './values.ts';

/** The attributes `github` and `github_app` of one component. */
export function readGithub(
  reading: AttributeReader,
  repoUrl: string,
): Pick<ComponentSettings, 'github' | 'githubApp'> {
  const apiUrl = readApiUrl(reading, repoUrl);
  const statuses = readSwitch(reading, 'github.statuses');
  const prComments = readSwitch(reading, 'github.pr_comments');
  const app = readApp(reading, apiUrl);
  const on = statuses || prComments;
  if (on && apiUrl === null) {
    reading.refuse(
      'SETTING_INVALID',
      reading.value('repo_url'),
      'statuses and comments need a repository on GitHub',
      'set repo_url to https://github.com/<owner>/<repository>, or take the key "github" out',
    );
  }
  if (on && app === null && !reading.hasToken()) {
    reading.refuse(
      'SETTING_MISSING',
      reading.value(statuses ? 'github.statuses' : 'github.pr_comments'),
      'statuses and comments need github_token or github_app',
      'add the line "GITHUB_TOKEN=<token with commit statuses and pull requests: write>" to .env',
    );
  }
  return {
    ...(on && apiUrl !== null ? { github: { statuses, prComments, apiUrl } } : {}),
    ...(app === null ? {} : { githubApp: app }),
  };
}

function readSwitch(reading: AttributeReader, name: string): boolean {
  if (!reading.has(name)) return false;
  const value = reading.value(name);
  const read = readBoolean(value.text);
  if (read === null) {
    reading.refuse('SETTING_INVALID', value, `${name} is "${value.text}"`, 'write true or false');
  }
  return read ?? false;
}

function readApp(
  reading: AttributeReader,
  apiUrl: string | null,
): NonNullable<ComponentSettings['githubApp']> | null {
  const names = ['github_app.app_id', 'github_app.installation_id', 'github_app.private_key_file'];
  const given = names.filter((name) => reading.has(name));
  if (given.length === 0) return null;
  const missing = names.filter((name) => !reading.has(name));
  if (missing.length > 0) {
    reading.refuse(
      'SETTING_MISSING',
      reading.value(given[0] as string),
      `${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} missing`,
      'a GitHub App needs app_id, installation_id and private_key_file',
    );
    return null;
  }
  const installation = reading.value('github_app.installation_id');
  if (!/^\d{1,15}$/.test(installation.text)) {
    reading.refuse(
      'SETTING_INVALID',
      installation,
      `github_app.installation_id is "${installation.text}"`,
      'write the number at the end of the address of the installation',
    );
  }
  if (reading.hasToken()) {
    reading.refuse(
      'SETTING_INVALID',
      installation,
      'github_token and github_app are both set',
      'keep one; GITHUB_TOKEN may be empty',
    );
  }
  const { 'github_app.private_key_file': privateKeyFile } = reading.files('github_app.private_key_file');
  if (privateKeyFile === undefined || apiUrl === null) return null;
  return {
    appId: reading.value('github_app.app_id').text,
    installationId: Number(installation.text),
    privateKeyFile,
    apiUrl,
  };
}

/** Where the API of the repository's host is; null: the repository is on no host. */
function readApiUrl(reading: AttributeReader, repoUrl: string): string | null {
  if (reading.has('github.api_url')) {
    const value = reading.value('github.api_url');
    const url = URL.parse(value.text);
    const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname));
    if (!isSafe || url === null || url.username !== '' || url.search !== '') {
      reading.refuse(
        'SETTING_INVALID',
        value,
        `github.api_url is "${value.text}"`,
        'write an https:// address, such as https://github.example.com/api/v3',
      );
      return null;
    }
    return url.href.replace(/\/$/, '');
  }
  const host =
    /^(?:https?|ssh):\/\/(?:[^@/]*@)?([^/:]+)/.exec(repoUrl)?.[1] ?? /^[\w.-]+@([\w.-]+):/.exec(repoUrl)?.[1];
  if (host === undefined) return null;
  return host.toLowerCase() === 'github.com' ? 'https://api.github.com' : `https://${host}/api/v3`;
}
