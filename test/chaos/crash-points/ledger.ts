interface Answer {
  status: number;
  body: string;
}

/** What the servers said that they had created, whether or not the answer arrived. */
export class Ledger {
  private readonly enis = new Set<string>();
  private readonly attachments = new Set<string>();

  ec2Answered(write: string, { status, body }: Answer): void {
    const id = /<networkInterfaceId>(eni-[0-9a-f]+)</.exec(body)?.[1];
    if (write === 'CreateNetworkInterface' && status === 200 && id !== undefined) {
      this.enis.add(id);
    }
  }

  kubernetesAnswered(write: string, { status, body }: Answer): void {
    if (write === 'post eniattachments' && status === 201) {
      const { metadata } = JSON.parse(body) as { metadata: { uid: string } };
      this.attachments.add(metadata.uid);
    }
  }

  /** What is wrong with how much was made: an ENIAttachment has one ENI in its whole life. */
  get excess(): string[] {
    const [enis, attachments] = [this.enis.size, this.attachments.size];
    return enis > attachments ? [`${enis} ENIs were made for ${attachments} ENIAttachments`] : [];
  }
}
