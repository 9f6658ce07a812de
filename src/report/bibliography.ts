/** The papers that attacks, defenses and architectures name, by the address under which they name them. */

export interface Paper {
  /** What a document cites it by. */
  readonly key: string;
  /** As BibTeX has them: `Family, Given and Family, Given`. */
  readonly authors: string;
  readonly title: string;
  /** The proceedings, journal or book that it is in; absent where it is a preprint alone. */
  readonly venue?: string;
  readonly year: number;
}

const ICLR = 'International Conference on Learning Representations';
const ICML = 'International Conference on Machine Learning';
const NEURIPS = 'Advances in Neural Information Processing Systems';
const CVPR = 'IEEE/CVF Conference on Computer Vision and Pattern Recognition';
const SECURITY = 'IEEE Symposium on Security and Privacy';

type Row = readonly [id: string, key: string, authors: string, title: string, venue: string, year: number];

const arxiv = ([id, key, authors, title, venue, year]: Row): readonly [url: string, paper: Paper] => [
  `https://arxiv.org/abs/${id}`,
  { key, authors, title, ...(venue === '' ? {} : { venue }), year },
];

const ATTACKS: readonly Row[] = [
  [
    '1412.6572',
    'goodfellow2015explaining',
    'Goodfellow, Ian J. and Shlens, Jonathon and Szegedy, Christian',
    'Explaining and Harnessing Adversarial Examples',
    ICLR,
    2015,
  ],
  [
    '1607.02533',
    'kurakin2017adversarial',
    'Kurakin, Alexey and Goodfellow, Ian J. and Bengio, Samy',
    'Adversarial Examples in the Physical World',
    'ICLR Workshop Track',
    2017,
  ],
  [
    '1706.06083',
    'madry2018towards',
    'Madry, Aleksander and Makelov, Aleksandar and Schmidt, Ludwig and Tsipras, Dimitris and Vladu, Adrian',
    'Towards Deep Learning Models Resistant to Adversarial Attacks',
    ICLR,
    2018,
  ],
  [
    '1705.07204',
    'tramer2018ensemble',
    'Tramèr, Florian and Kurakin, Alexey and Papernot, Nicolas and Goodfellow, Ian and Boneh, Dan and McDaniel, Patrick',
    'Ensemble Adversarial Training: Attacks and Defenses',
    ICLR,
    2018,
  ],
  [
    '1710.06081',
    'dong2018boosting',
    'Dong, Yinpeng and Liao, Fangzhou and Pang, Tianyu and Su, Hang and Zhu, Jun and Hu, Xiaolin and Li, Jianguo',
    'Boosting Adversarial Attacks with Momentum',
    CVPR,
    2018,
  ],
  [
    '1908.06281',
    'lin2020nesterov',
    'Lin, Jiadong and Song, Chuanbiao and He, Kun and Wang, Liwei and Hopcroft, John E.',
    'Nesterov Accelerated Gradient and Scale Invariance for Adversarial Attacks',
    ICLR,
    2020,
  ],
  [
    '1803.06978',
    'xie2019improving',
    'Xie, Cihang and Zhang, Zhishuai and Zhou, Yuyin and Bai, Song and Wang, Jianyu and Ren, Zhou and Yuille, Alan L.',
    'Improving Transferability of Adversarial Examples with Input Diversity',
    CVPR,
    2019,
  ],
  [
    '1904.02884',
    'dong2019evading',
    'Dong, Yinpeng and Pang, Tianyu and Su, Hang and Zhu, Jun',
    'Evading Defenses to Transferable Adversarial Examples by Translation-Invariant Attacks',
    CVPR,
    2019,
  ],
  [
    '2003.01690',
    'croce2020reliable',
    'Croce, Francesco and Hein, Matthias',
    'Reliable Evaluation of Adversarial Robustness with an Ensemble of Diverse Parameter-Free Attacks',
    ICML,
    2020,
  ],
  [
    '1907.02044',
    'croce2020minimally',
    'Croce, Francesco and Hein, Matthias',
    'Minimally Distorted Adversarial Examples with a Fast Adaptive Boundary Attack',
    ICML,
    2020,
  ],
  [
    '1912.00049',
    'andriushchenko2020square',
    'Andriushchenko, Maksym and Croce, Francesco and Flammarion, Nicolas and Hein, Matthias',
    'Square Attack: A Query-Efficient Black-Box Adversarial Attack via Random Search',
    'European Conference on Computer Vision',
    2020,
  ],
  [
    '1802.05666',
    'uesato2018adversarial',
    "Uesato, Jonathan and O'Donoghue, Brendan and van den Oord, Aäron and Kohli, Pushmeet",
    'Adversarial Risk and the Dangers of Evaluating Against Weak Attacks',
    ICML,
    2018,
  ],
  [
    '1904.02144',
    'chen2020hopskipjump',
    'Chen, Jianbo and Jordan, Michael I. and Wainwright, Martin J.',
    'HopSkipJumpAttack: A Query-Efficient Decision-Based Attack',
    SECURITY,
    2020,
  ],
  [
    '1511.04599',
    'moosavi2016deepfool',
    'Moosavi-Dezfooli, Seyed-Mohsen and Fawzi, Alhussein and Frossard, Pascal',
    'DeepFool: A Simple and Accurate Method to Fool Deep Neural Networks',
    CVPR,
    2016,
  ],
  [
    '1608.04644',
    'carlini2017towards',
    'Carlini, Nicholas and Wagner, David',
    'Towards Evaluating the Robustness of Neural Networks',
    SECURITY,
    2017,
  ],
  [
    '1709.04114',
    'chen2018ead',
    'Chen, Pin-Yu and Sharma, Yash and Zhang, Huan and Yi, Jinfeng and Hsieh, Cho-Jui',
    'EAD: Elastic-Net Attacks to Deep Neural Networks via Adversarial Examples',
    'AAAI Conference on Artificial Intelligence',
    2018,
  ],
  [
    '1608.08967',
    'fawzi2016robustness',
    'Fawzi, Alhussein and Moosavi-Dezfooli, Seyed-Mohsen and Frossard, Pascal',
    'Robustness of Classifiers: From Adversarial to Random Noise',
    NEURIPS,
    2016,
  ],
  [
    '1712.02779',
    'engstrom2019exploring',
    'Engstrom, Logan and Tran, Brandon and Tsipras, Dimitris and Schmidt, Ludwig and Madry, Aleksander',
    'Exploring the Landscape of Spatial Robustness',
    ICML,
    2019,
  ],
  [
    '1610.08401',
    'moosavi2017universal',
    'Moosavi-Dezfooli, Seyed-Mohsen and Fawzi, Alhussein and Fawzi, Omar and Frossard, Pascal',
    'Universal Adversarial Perturbations',
    CVPR,
    2017,
  ],
];

const DEFENSES: readonly Row[] = [
  [
    '1902.02918',
    'cohen2019certified',
    'Cohen, Jeremy M. and Rosenfeld, Elan and Kolter, J. Zico',
    'Certified Adversarial Robustness via Randomized Smoothing',
    ICML,
    2019,
  ],
  [
    '1904.12843',
    'shafahi2019free',
    'Shafahi, Ali and Najibi, Mahyar and Ghiasi, Amin and Xu, Zheng and Dickerson, John and Studer, Christoph and Davis, Larry S. and Taylor, Gavin and Goldstein, Tom',
    'Adversarial Training for Free!',
    NEURIPS,
    2019,
  ],
  [
    '2001.03994',
    'wong2020fast',
    'Wong, Eric and Rice, Leslie and Kolter, J. Zico',
    'Fast Is Better than Free: Revisiting Adversarial Training',
    ICLR,
    2020,
  ],
  [
    '2202.01181',
    'dejorge2022make',
    'de Jorge, Pau and Bibi, Adel and Volpi, Riccardo and Sanyal, Amartya and Torr, Philip H. S. and Rogez, Grégory and Dokania, Puneet K.',
    'Make Some Noise: Reliable and Efficient Single-Step Adversarial Training',
    NEURIPS,
    2022,
  ],
  [
    '1901.08573',
    'zhang2019theoretically',
    'Zhang, Hongyang and Yu, Yaodong and Jiao, Jiantao and Xing, Eric P. and El Ghaoui, Laurent and Jordan, Michael I.',
    'Theoretically Principled Trade-off between Robustness and Accuracy',
    ICML,
    2019,
  ],
  [
    '2004.05884',
    'wu2020adversarial',
    'Wu, Dongxian and Xia, Shu-Tao and Wang, Yisen',
    'Adversarial Weight Perturbation Helps Robust Generalization',
    NEURIPS,
    2020,
  ],
  [
    '1705.02900',
    'das2017keeping',
    'Das, Nilaksh and Shanbhogue, Madhuri and Chen, Shang-Tse and Hohman, Fred and Chen, Li and Kounavis, Michael E. and Chau, Duen Horng',
    'Keeping the Bad Guys Out: Protecting and Vaccinating Deep Learning with JPEG Compression',
    '',
    2017,
  ],
  [
    '1704.01155',
    'xu2018feature',
    'Xu, Weilin and Evans, David and Qi, Yanjun',
    'Feature Squeezing: Detecting Adversarial Examples in Deep Neural Networks',
    'Network and Distributed System Security Symposium',
    2018,
  ],
  [
    '1711.00117',
    'guo2018countering',
    'Guo, Chuan and Rana, Mayank and Cisse, Moustapha and van der Maaten, Laurens',
    'Countering Adversarial Images Using Input Transformations',
    ICLR,
    2018,
  ],
  [
    '1711.01991',
    'xie2018mitigating',
    'Xie, Cihang and Wang, Jianyu and Zhang, Zhishuai and Ren, Zhou and Yuille, Alan',
    'Mitigating Adversarial Effects Through Randomization',
    ICLR,
    2018,
  ],
];

const ARCHITECTURES: readonly Row[] = [
  [
    '1409.1556',
    'simonyan2015very',
    'Simonyan, Karen and Zisserman, Andrew',
    'Very Deep Convolutional Networks for Large-Scale Image Recognition',
    ICLR,
    2015,
  ],
  [
    '1409.4842',
    'szegedy2015going',
    'Szegedy, Christian and Liu, Wei and Jia, Yangqing and Sermanet, Pierre and Reed, Scott and Anguelov, Dragomir and Erhan, Dumitru and Vanhoucke, Vincent and Rabinovich, Andrew',
    'Going Deeper with Convolutions',
    CVPR,
    2015,
  ],
  [
    '1512.03385',
    'he2016deep',
    'He, Kaiming and Zhang, Xiangyu and Ren, Shaoqing and Sun, Jian',
    'Deep Residual Learning for Image Recognition',
    CVPR,
    2016,
  ],
  [
    '1608.06993',
    'huang2017densely',
    'Huang, Gao and Liu, Zhuang and van der Maaten, Laurens and Weinberger, Kilian Q.',
    'Densely Connected Convolutional Networks',
    CVPR,
    2017,
  ],
  [
    '1704.04861',
    'howard2017mobilenets',
    'Howard, Andrew G. and Zhu, Menglong and Chen, Bo and Kalenichenko, Dmitry and Wang, Weijun and Weyand, Tobias and Andreetto, Marco and Adam, Hartwig',
    'MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications',
    '',
    2017,
  ],
  [
    '1801.04381',
    'sandler2018mobilenetv2',
    'Sandler, Mark and Howard, Andrew and Zhu, Menglong and Zhmoginov, Andrey and Chen, Liang-Chieh',
    'MobileNetV2: Inverted Residuals and Linear Bottlenecks',
    CVPR,
    2018,
  ],
];

/** Papers by their address. */
export const PAPERS: ReadonlyMap<string, Paper> = new Map([
  ...[...ATTACKS, ...DEFENSES, ...ARCHITECTURES].map(arxiv),
  [
    'https://papers.nips.cc/paper/2012/hash/c399862d3b9d6b76c8436e924a68c45b-Abstract.html',
    {
      key: 'krizhevsky2012imagenet',
      authors: 'Krizhevsky, Alex and Sutskever, Ilya and Hinton, Geoffrey E.',
      title: 'ImageNet Classification with Deep Convolutional Neural Networks',
      venue: NEURIPS,
      year: 2012,
    },
  ],
  [
    'https://openreview.net/forum?id=rklOg6EFwS',
    {
      key: 'wang2020improving',
      authors: 'Wang, Yisen and Zou, Difan and Yi, Jinfeng and Bailey, James and Ma, Xingjun and Gu, Quanquan',
      title: 'Improving Adversarial Robustness Requires Revisiting Misclassified Examples',
      venue: ICLR,
      year: 2020,
    },
  ],
  [
    'https://doi.org/10.1007/978-3-642-76153-9_28',
    {
      key: 'bridle1990probabilistic',
      authors: 'Bridle, John S.',
      title:
        'Probabilistic Interpretation of Feedforward Classification Network Outputs, with Relationships to Statistical Pattern Recognition',
      venue: 'Neurocomputing: Algorithms, Architectures and Applications',
      year: 1990,
    },
  ],
]);

/** The papers of the ways of training that come with Gibbon: a checkpoint says what trained it, and not where that is from. */
export const TRAINING_PAPERS: Readonly<Record<string, string>> = {
  'pgd-training': 'https://arxiv.org/abs/1706.06083',
  'fgsm-rs': 'https://arxiv.org/abs/2001.03994',
  'n-fgsm': 'https://arxiv.org/abs/2202.01181',
  free: 'https://arxiv.org/abs/1904.12843',
  trades: 'https://arxiv.org/abs/1901.08573',
  mart: 'https://openreview.net/forum?id=rklOg6EFwS',
  awp: 'https://arxiv.org/abs/2004.05884',
  'randomized-smoothing': 'https://arxiv.org/abs/1902.02918',
};
