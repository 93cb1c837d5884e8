import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';

/** A page's heading with its actions; sets the tab's title, which names the thing and not only the product. */
export function Page({
  title,
  heading,
  above,
  actions,
  children,
  wide = false,
}: {
  title: string;
  heading?: ComponentChildren;
  above?: ComponentChildren;
  actions?: ComponentChildren;
  children: ComponentChildren;
  wide?: boolean;
}) {
  useTitle(title);
  return (
    <div class={wide ? 'page wide' : 'page'}>
      <header class="page-head">
        <div class="page-title">
          {above !== undefined && <div class="page-above">{above}</div>}
          <h1>{heading ?? title}</h1>
        </div>
        {actions !== undefined && <div class="page-actions">{actions}</div>}
      </header>
      {children}
    </div>
  );
}

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · elt`;
  }, [title]);
}

export function Section({
  title,
  aside,
  children,
  id,
}: {
  title: string;
  aside?: ComponentChildren;
  children: ComponentChildren;
  id?: string;
}) {
  return (
    <section class="section" id={id} aria-label={title}>
      <div class="section-head">
        <h2>{title}</h2>
        {aside !== undefined && <div class="section-aside">{aside}</div>}
      </div>
      {children}
    </section>
  );
}

/** Names and values side by side. */
export function Facts({ facts }: { facts: readonly (readonly [string, ComponentChildren] | null)[] }) {
  return (
    <dl class="facts">
      {facts.map((fact) =>
        fact === null ? null : (
          <div key={fact[0]} class="fact">
            <dt>{fact[0]}</dt>
            <dd>{fact[1]}</dd>
          </div>
        ),
      )}
    </dl>
  );
}
