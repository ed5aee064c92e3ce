/** A member of a struct or union. */
export interface BtfMember {
  /** Empty for the members that C leaves without a name. */
  readonly name: string;
  readonly type: number;
  /** Bits from the start of the struct. */
  readonly bitOffset: number;
  /** Width of a bitfield; 0 for other members. */
  readonly bits: number;
}

export interface BtfEnumerator {
  readonly name: string;
  /** Sign-extended to 64 bits, whether or not the enum is signed. */
  readonly value: bigint;
}

export interface BtfSectionVariable {
  /** Id of the variable's type, a `var`. */
  readonly type: number;
  /** Bytes from the start of the section. */
  readonly offset: number;
}

/** A BTF type as far as it matters for reading values. */
export type BtfType =
  | {
      readonly kind: 'int';
      readonly name: string;
      readonly size: number;
      /** BTF_INT_SIGNED, BTF_INT_CHAR or BTF_INT_BOOL, or 0. */
      readonly encoding: number;
      readonly bits: number;
      readonly bitOffset: number;
    }
  | { readonly kind: 'float'; readonly size: number }
  | { readonly kind: 'pointer' }
  | { readonly kind: 'enum'; readonly size: number; readonly values: readonly BtfEnumerator[] }
  | { readonly kind: 'array'; readonly element: number; readonly count: number }
  | { readonly kind: 'struct' | 'union'; readonly size: number; readonly members: readonly BtfMember[] }
  | {
      readonly kind: 'section';
      readonly name: string;
      readonly size: number;
      readonly variables: readonly BtfSectionVariable[];
    }
  | { readonly kind: 'variable'; readonly name: string; readonly type: number }
  | { readonly kind: 'typedef'; readonly type: number }
  /** const, volatile, restrict, type tag */
  | { readonly kind: 'modifier'; readonly type: number }
  /** void, functions, forward declarations, declaration tags: no value has such a type */
  | { readonly kind: 'valueless' };

export const BTF_INT_SIGNED = 1;
export const BTF_INT_CHAR = 2;
export const BTF_INT_BOOL = 4;

/** BTF that breaks its own rules, or that this program is too old to read. */
export class BtfError extends Error {
  override readonly name = 'BtfError';
}
