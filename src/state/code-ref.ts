/**
 * The exact code of a pipeline folder. `treeId` is the folder's Git tree object id: equal content, equal id, whatever
 * the commit. `contentDigest` is what staleness is judged by.
 */
export interface CodeRef {
  readonly component: string;
  readonly commit: string;
  /** Path of the folder inside the repository, `pipelines/dlt/orders`. */
  readonly dir: string;
  readonly treeId: string;
  readonly contentDigest: string;
}
