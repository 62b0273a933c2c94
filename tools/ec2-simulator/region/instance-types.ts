/** What an instance type can carry. Every card of a type takes the same number of interfaces. */
export interface InstanceType {
  readonly name: string;
  readonly cards: number;
  readonly interfacesPerCard: number;
  /** IPv4 (and IPv6) addresses of one interface. */
  readonly addressesPerInterface: number;
  readonly hypervisor: 'nitro' | 'xen';
  /** ENA Express. */
  readonly enaExpress: boolean;
}

// EC2's documentation, "Maximum IP addresses per network interface".
const TABLE: readonly [
  name: string,
  cards: number,
  interfacesPerCard: number,
  addresses: number,
][] = [
  ['t3.micro', 1, 2, 2],
  ['t3.small', 1, 3, 4],
  ['t3.medium', 1, 3, 6],
  ['t3.large', 1, 3, 12],
  ['t3.xlarge', 1, 4, 15],
  ['m5.large', 1, 3, 10],
  ['m5.xlarge', 1, 4, 15],
  ['m5.4xlarge', 1, 8, 30],
  ['m5.24xlarge', 1, 15, 50],
  ['c5n.18xlarge', 1, 15, 50],
  ['m7i.48xlarge', 1, 15, 50],
  ['c6in.32xlarge', 2, 8, 50],
  ['c8gn.48xlarge', 2, 12, 64],
  ['p4d.24xlarge', 4, 15, 50],
  ['p5.48xlarge', 32, 2, 50],
  ['p6-b200.48xlarge', 8, 4, 50],
  ['t2.medium', 1, 3, 6],
];

/** EC2's documentation, "Supported instance types for ENA Express": those of the table. */
const WITH_ENA_EXPRESS = new Set([
  ...['m7i.48xlarge', 'c6in.32xlarge', 'c8gn.48xlarge', 'p5.48xlarge', 'p6-b200.48xlarge'],
]);

export const INSTANCE_TYPES: ReadonlyMap<string, InstanceType> = new Map(
  TABLE.map(([name, cards, interfacesPerCard, addressesPerInterface]) => [
    name,
    {
      name,
      cards,
      interfacesPerCard,
      addressesPerInterface,
      hypervisor: name.startsWith('t2.') ? ('xen' as const) : ('nitro' as const),
      enaExpress: WITH_ENA_EXPRESS.has(name),
    },
  ]),
);
