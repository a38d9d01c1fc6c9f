// ml-logistic-regression 2.0.0 ships no types.
declare module 'ml-logistic-regression' {
  import type { Matrix } from 'ml-matrix'

  export interface TwoClassesJSON {
    numSteps: number
    learningRate: number
    weights: Matrix | number[][]
  }

  export interface LogisticRegressionJSON {
    name: string
    numSteps: number
    learningRate: number
    numberClasses: number
    classifiers: TwoClassesJSON[]
  }

  export default class LogisticRegression {
    constructor(options?: { numSteps?: number; learningRate?: number })
    numSteps: number
    learningRate: number
    numberClasses: number
    classifiers: { weights: Matrix }[]
    train(X: Matrix, Y: Matrix): void
    predict(X: Matrix): number[]
    static load(model: LogisticRegressionJSON): LogisticRegression
    toJSON(): LogisticRegressionJSON
  }
}
