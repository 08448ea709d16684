// A component that is drawn again only where a property is another: rows stay, the list moves.

import { Component, type ComponentType, type FunctionComponent, type RenderableProps } from "preact";

export function memo<P extends object>(draw: FunctionComponent<P>): ComponentType<P> {
  return class Memo extends Component<P> {
    override shouldComponentUpdate(next: Readonly<P>): boolean {
      const keys = Object.keys(next) as (keyof P)[];
      return keys.some((key) => next[key] !== this.props[key]);
    }
    override render(props: RenderableProps<P>) {
      return draw(props);
    }
  };
}
