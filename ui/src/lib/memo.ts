import { Component, type ComponentChild, type FunctionComponent } from 'preact';

/** A component that renders again only when `same` says that its properties differ (React's memo). */
export function memo<P extends object>(
  render: FunctionComponent<P>,
  same: (before: P, after: P) => boolean,
): FunctionComponent<P> {
  class Memo extends Component<P> {
    override shouldComponentUpdate(next: Readonly<P>): boolean {
      return !same(this.props, next);
    }
    override render(): ComponentChild {
      return render(this.props);
    }
  }
  return Memo as unknown as FunctionComponent<P>;
}
