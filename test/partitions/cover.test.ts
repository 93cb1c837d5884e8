import { describe, it } from 'vitest';
import { checkCoverAnywhere } from './cover.ts';

describe('windows', () => {
  it('cover time, and their keys lead back, around any clock change of any zone: a sample', () => {
    checkCoverAnywhere(25);
  });
});
