interface Answer {
  status: number;
  body: string;
}

/** What the servers said that they had made, whoever heard of it. */
export class Ledger {
  private readonly enis = new Set<string>();
  private readonly records = new Set<string>();

  ec2Answered(write: string, { status, body }: Answer): void {
    const id = /<networkInterfaceId>(eni-[0-9a-f]+)</.exec(body)?.[1];
    if (write === 'CreateNetworkInterface' && status === 200 && id !== undefined) {
      this.enis.add(id);
    }
  }

  kubernetesAnswered(write: string, { status, body }: Answer): void {
    if (write === 'post eniattachments' && status === 201) {
      const { metadata } = JSON.parse(body) as { metadata: { uid: string } };
      this.records.add(metadata.uid);
    }
  }

  /** What is wrong with how much was made: a record has one ENI in its whole life. */
  get excess(): string[] {
    const [enis, records] = [this.enis.size, this.records.size];
    return enis > records ? [`${enis} ENIs were made for ${records} records`] : [];
  }
}
